import type { Product, Store } from '@shop/client';
import { useState } from 'preact/hooks';
import { announce } from '../announce.tsx';
import { loadCategories, shop } from '../api.ts';
import type { PageProps } from '../main.tsx';
import { goTo, linkTo } from '../router.ts';
import { submits, useAction, useLoad } from '../state.ts';
import { fieldErrors, price } from '../text.ts';
import {
  ActionButton,
  Empty,
  Field,
  fieldsOf,
  PageTitle,
  Problem,
  ProductImage,
  Select,
  Skeleton,
  TextArea,
} from '../ui.tsx';
import { OrderList } from './orders.tsx';

const IMAGES = 'image/jpeg,image/png,image/gif,image/webp';

const loadStores = async (signal: AbortSignal) =>
  (await shop.get('/api/v1/stores', { query: { limit: 100 }, signal })).data;

const Tabs = ({ current }: { current: 'products' | 'orders' }) => (
  <nav class="tabs" aria-label="Sell">
    <a href={linkTo('/sell')} aria-current={current === 'products' ? 'page' : undefined}>
      Products
    </a>
    <a href={linkTo('/sell/orders')} aria-current={current === 'orders' ? 'page' : undefined}>
      Orders
    </a>
  </nav>
);

export function SellPage() {
  const products = useLoad('own', async (signal) => {
    const { data, pagination } = await shop.get('/api/v1/products', { query: { limit: 50 }, signal });
    return { list: data, next: pagination.next_cursor };
  });
  const more = useAction(async () => {
    const before = products.data;
    if (!before?.next) return;
    const { data, pagination } = await shop.get('/api/v1/products', { query: { limit: 50, cursor: before.next } });
    products.replace({ list: [...before.list, ...data], next: pagination.next_cursor });
  });
  const { data } = products;
  const replace = (changed: Product) =>
    data && products.replace({ ...data, list: data.list.map((one) => (one.id === changed.id ? changed : one)) });
  return (
    <>
      <PageTitle title="Sell">
        <a class="button primary" href={linkTo('/sell/new')}>
          Add a product
        </a>
      </PageTitle>
      <Tabs current="products" />
      <Problem error={products.error} retry={products.reload} />
      {!data && products.isLoading && <Skeleton count={4} kind="row" />}
      {data?.list.length === 0 && (
        <Empty title="You sell nothing yet">
          <a class="button" href={linkTo('/sell/new')}>
            Add your first product
          </a>
        </Empty>
      )}
      <ul class="rows">
        {data?.list.map((product) => (
          <SellRow product={product} onChange={replace} key={product.id} />
        ))}
      </ul>
      <Problem error={more.error} />
      {data?.next && (
        <p class="more">
          <ActionButton type="button" class="quiet" isRunning={more.isRunning} onClick={() => more.run()}>
            Show more
          </ActionButton>
        </p>
      )}
    </>
  );
}

function SellRow({ product, onChange }: { product: Product; onChange: (product: Product) => void }) {
  const move = useAction(async (form: HTMLFormElement) => {
    const change = Math.trunc(Number(fieldsOf(form).change));
    if (!change) return;
    const { stock } = await shop.post('/api/v1/products/{id}/stock', { path: { id: product.id }, body: { change } });
    form.reset();
    onChange({ ...product, stock });
    announce(`${product.name}: ${stock} in stock`);
  });
  return (
    <li class="sell-row">
      <ProductImage product={product} />
      <div class="line-name">
        <a href={linkTo(`/sell/products/${product.id}`)}>{product.name}</a>
        <span class="hint">{price(product.price)}</span>
      </div>
      <span class={`stock ${product.stock === 0 ? 'none' : ''}`}>{product.stock} in stock</span>
      <form class="stock-form" onSubmit={submits(move)}>
        <label class="visually-hidden" for={`stock-${product.id}`}>
          Change the stock of {product.name} by
        </label>
        <input id={`stock-${product.id}`} name="change" type="number" step="1" required placeholder="+10" />
        <ActionButton class="quiet" isRunning={move.isRunning} aria-label={`Change the stock of ${product.name}`}>
          Change
        </ActionButton>
      </form>
      <Problem error={move.error} products={[product]} />
    </li>
  );
}

export const SellOrdersPage = ({ user }: PageProps) => (
  <>
    <PageTitle title="Sell" />
    <Tabs current="orders" />
    <OrderList of={user.role === 'admin' ? 'everyone' : 'seller'}>
      <Empty title="No orders yet">
        <p>They appear here as soon as a customer orders something of yours.</p>
      </Empty>
    </OrderList>
  </>
);

/** A form for the fields of a product. Its image is sent after the rest, by itself. */
function ProductForm({
  product,
  stores,
  onSave,
}: {
  product?: Product;
  stores?: readonly Store[];
  onSave: (fields: Record<string, string>) => Promise<Pick<Product, 'id'>>;
}) {
  const categories = useLoad('categories', loadCategories);
  const [image, setChosen] = useState<{ file: File; url: string }>();
  // The product may be saved although its image is refused. Then the second try must not add another one.
  const [savedId, setSavedId] = useState(product?.id);
  const save = useAction(async (form: HTMLFormElement) => {
    let id = savedId;
    if (id === undefined || product) {
      id = (await onSave(fieldsOf(form))).id;
      setSavedId(id);
    }
    if (image) await shop.put('/api/v1/products/{id}/image', { path: { id }, body: { image: image.file } });
    announce('Saved');
    goTo(linkTo('/sell'));
  });
  const errors = fieldErrors(save.error);
  return (
    <form class="stack narrow" onSubmit={submits(save)}>
      <div class="image">
        <ProductImage
          product={{
            id: product?.id ?? 0,
            name: product?.name ?? '+',
            image_url: image?.url ?? product?.image_url ?? null,
          }}
          isLarge
        />
        <Field
          label="Image"
          name="image"
          type="file"
          accept={IMAGES}
          hint="JPEG, PNG, GIF or WebP, at most 5 MB"
          onChange={({ currentTarget }) => {
            if (image) URL.revokeObjectURL(image.url);
            const file = currentTarget.files?.[0];
            setChosen(file && { file, url: URL.createObjectURL(file) });
          }}
        />
      </div>
      <Field label="Name" name="name" required maxLength={255} defaultValue={product?.name ?? ''} error={errors.name} />
      <TextArea
        label="Description"
        name="description"
        rows={4}
        maxLength={10_000}
        defaultValue={product?.description ?? ''}
        error={errors.description}
      />
      <div class="range">
        <Field
          label="Price (€)"
          name="price"
          type="number"
          inputMode="decimal"
          min={0}
          step="0.01"
          required
          defaultValue={product ? String(product.price) : ''}
          error={errors.price}
        />
        {!product && (
          <Field
            label="Stock"
            name="stock"
            type="number"
            min={0}
            step="1"
            required
            defaultValue="1"
            error={errors.stock}
          />
        )}
      </div>
      <Select
        label="Category"
        name="category_id"
        defaultValue={String(product?.category_id ?? '')}
        key={categories.data?.length}
      >
        <option value="">None</option>
        {categories.data?.map(({ id, name }) => (
          <option value={id} selected={id === product?.category_id} key={id}>
            {name}
          </option>
        ))}
      </Select>
      {stores && stores.length > 1 && (
        <Select label="Store" name="store_id">
          {stores.map(({ id, name }) => (
            <option value={id} key={id}>
              {name}
            </option>
          ))}
        </Select>
      )}
      <Problem error={save.error} />
      <div class="buttons">
        <ActionButton isRunning={save.isRunning}>{product ? 'Save' : 'Add product'}</ActionButton>
        <a class="button quiet" href={linkTo('/sell')}>
          Cancel
        </a>
      </div>
    </form>
  );
}

const categoryIn = ({ category_id = '' }: Record<string, string>) => (category_id ? Number(category_id) : null);

export function NewProductPage() {
  const stores = useLoad('stores', loadStores);
  return (
    <>
      <PageTitle title="Add a product" />
      <Problem error={stores.error} retry={stores.reload} />
      <ProductForm
        stores={stores.data ?? []}
        onSave={(fields) =>
          shop.post('/api/v1/products', {
            body: {
              name: fields.name ?? '',
              description: fields.description ?? '',
              price: Number(fields.price),
              stock: Number(fields.stock),
              category_id: categoryIn(fields),
              ...(fields.store_id && { store_id: Number(fields.store_id) }),
            },
          })
        }
      />
    </>
  );
}

export function EditProductPage({ id }: { id: number }) {
  const product = useLoad(String(id), (signal) => shop.get('/api/v1/products/{id}', { path: { id }, signal }));
  const remove = useAction(async () => {
    await shop.delete('/api/v1/products/{id}', { path: { id } });
    announce('Deleted');
    goTo(linkTo('/sell'));
  });
  const removeImage = useAction(async () => {
    await shop.delete('/api/v1/products/{id}/image', { path: { id } });
    product.reload();
  });
  const { data } = product;
  return (
    <>
      <PageTitle title="Change a product" />
      {!data &&
        (product.error ? <Problem error={product.error} retry={product.reload} /> : <Skeleton count={4} kind="row" />)}
      {data && (
        <>
          <ProductForm
            product={data}
            onSave={async (fields) => {
              const { name = '', description = '' } = fields;
              const body = { name, description, price: Number(fields.price), category_id: categoryIn(fields) };
              await shop.put('/api/v1/products/{id}', { path: { id }, body });
              return { id };
            }}
            key={data.image_url}
          />
          <div class="narrow buttons danger">
            {data.image_url && (
              <ActionButton
                type="button"
                class="quiet"
                isRunning={removeImage.isRunning}
                onClick={() => removeImage.run()}
              >
                Remove image
              </ActionButton>
            )}
            <ActionButton type="button" class="quiet" isRunning={remove.isRunning} onClick={() => remove.run()}>
              Delete product
            </ActionButton>
            <Problem error={remove.error ?? removeImage.error} />
          </div>
        </>
      )}
    </>
  );
}
