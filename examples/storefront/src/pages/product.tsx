import { useState } from 'preact/hooks';
import { announce } from '../announce.tsx';
import { loadCategories, shop } from '../api.ts';
import { addToBasket, basket } from '../basket.ts';
import { linkTo } from '../router.ts';
import { useLoad, useValue } from '../state.ts';
import { price } from '../text.ts';
import { PageTitle, Problem, ProductImage, Quantity } from '../ui.tsx';

export function ProductPage({ id }: { id: number }) {
  const product = useLoad(String(id), (signal) => shop.get('/api/v1/catalog/products/{id}', { path: { id }, signal }));
  const categories = useLoad('categories', loadCategories);
  const inBasket = useValue(basket)[id] ?? 0;
  const [quantity, setQuantity] = useState(1);
  const { data } = product;
  if (!data) {
    return product.error ? (
      <>
        <PageTitle title="Product" />
        <Problem error={product.error} retry={product.reload} />
        <p>
          <a href={linkTo('/')}>Back to all products</a>
        </p>
      </>
    ) : (
      <div class="product" role="status" aria-label="Loading">
        <div class="skeleton large" />
      </div>
    );
  }
  const category = categories.data?.find((one) => one.id === data.category_id);
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={linkTo('/')}>All products</a>
        {category && <a href={linkTo('/', { category: String(category.id) })}>{category.name}</a>}
      </nav>
      <article class="product">
        <ProductImage product={data} isLarge />
        <div>
          <a class="store" href={linkTo('/', { store: String(data.store.id) })}>
            {data.store.name}
          </a>
          <PageTitle title={data.name} />
          <p class="price">{price(data.price)}</p>
          <p class={`stock ${data.stock === 0 ? 'none' : ''}`}>{stockText(data.stock)}</p>
          {data.stock > 0 && (
            <div class="buy">
              <Quantity name={data.name} value={quantity} max={data.stock} onChange={setQuantity} />
              <button
                type="button"
                class="primary"
                onClick={() => {
                  addToBasket(data.id, quantity);
                  announce(`${data.name} is in your basket`, linkTo('/basket'), 'Open basket');
                }}
              >
                Add to basket
              </button>
            </div>
          )}
          {inBasket > 0 && (
            <p class="hint">
              {inBasket} in your <a href={linkTo('/basket')}>basket</a>
            </p>
          )}
          {data.description && <p class="description">{data.description}</p>}
          <p class="hint">Sold and shipped by {data.store.name}.</p>
        </div>
      </article>
    </>
  );
}

function stockText(stock: number): string {
  if (stock === 0) return 'Sold out';
  return stock <= 5 ? `Only ${stock} left` : 'In stock';
}
