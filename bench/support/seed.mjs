/** The owners of one store, of fifty stores, and of one store without products or sales; the others share the other stores. */
export const [SELLER, CHAIN, BEGINNER] = [2, 3, 4];
const STORES = 1000;
/** A word in the names of one product in so many. */
export const RARE = { word: 'unicorn', every: 100_000 };

const time = "'2026-01-01' + INTERVAL i.n SECOND";
const oneOf = (number, words) =>
  `ELT(1 + MOD(${number}, ${words.length}), ${words.map((word) => `'${word}'`).join(', ')})`;
const colour = oneOf('i.n', ['blue', 'red', 'green', 'white', 'black', 'grey', 'brown']);
const thing = oneOf('i.n DIV 7', [
  'mug',
  'bowl',
  'plate',
  'lamp',
  'chair',
  'table',
  'shelf',
  'clock',
  'vase',
  'basket',
  'rug',
]);
const rare = `IF(MOD(i.n, ${RARE.every}) = 77, ' ${RARE.word}', '')`;
const name = `CONCAT(${colour}, ' ', ${thing}, ${rare}, ' ', i.n)`;

const DESCRIPTION = 'A thing with a handle, made of stoneware';
const WORDS = ['a', 'thing', 'with', 'handle', 'made', 'of', 'stoneware'];

/** `SELECT` lists by table and columns. `i.n` counts the rows from 0. */
const rowsOf = ({ products, users }) => [
  [
    users,
    'users (id, name, name_folded, email, created_at)',
    `i.n + 1, CONCAT('User ', i.n), CONCAT('user ', i.n), CONCAT(i.n, '@example.com'), ${time}`,
  ],
  [
    STORES + 1,
    'stores (id, user_id, name, name_folded, created_at)',
    `i.n + 1, CASE WHEN i.n = ${STORES} THEN ${BEGINNER} WHEN i.n < 50 THEN ${CHAIN} WHEN i.n = 50 THEN ${SELLER}
       ELSE 5 + MOD(i.n, ${users} - 5) END, CONCAT('Store ', i.n), CONCAT('store ', i.n), ${time}`,
  ],
  [
    products,
    `products
       (id, store_id, category_id, name, name_folded, name_words, description, description_words, price, stock, created_at,
        terms_checksum)`,
    `i.n + 1, 1 + MOD(i.n, ${STORES}), 1 + MOD(i.n, 4), ${name}, ${name}, CONCAT(' ', ${name}),
     '${DESCRIPTION}', ' ${WORDS.join(' ')}',
     MOD(i.n * 7919, 100000) / 100, IF(MOD(i.n, 50) = 0, 0, 5), ${time},
     CRC32(CONCAT(${name}, ' ${WORDS.join(' ')}'))`,
  ],
  [
    users,
    `addresses
       (id, user_id, label, label_folded, address, city, city_folded, postal_code, postal_code_folded, created_at)`,
    `i.n + 1, i.n + 1, 'Home', 'home', 'Main Street 1', 'Paris', 'paris', '75001', '75001', ${time}`,
  ],
  [
    products,
    `transactions
       (id, user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code, total, status, created_at)`,
    `i.n + 1, 1 + MOD(i.n, ${users}), 1 + MOD(i.n, ${STORES}), 1 + MOD(i.n, ${users}), 'Home', 'Main Street 1', 'Paris', '75001',
     MOD(i.n * 7919, 100000) / 100, 1 + MOD(i.n, 5), ${time}`,
  ],
  [
    products,
    'product_logs (id, transaction_id, product_id, product_name, product_price, quantity, created_at)',
    `i.n + 1, i.n + 1, i.n + 1, ${name}, 12.5, 1, ${time}`,
  ],
  [
    users,
    'files (id, user_id, stored_name, original_name, content_type, size_bytes, created_at)',
    `i.n + 1, i.n + 1, CONCAT(i.n + 1, '_a.png'), 'a.png', 'image/png', 4096, ${time}`,
  ],
];

/**
 * Fills the tables, which must be empty except for the development data: as many transactions with one line each as products, and for
 * each user an address and a file. Each table takes one statement: MariaDB loads an empty table in bulk then.
 */
export async function seed(connection, { products, users }) {
  const start = performance.now();
  await connection.query('SET unique_checks = 0, foreign_key_checks = 0');
  await connection.query('CREATE TABLE n (n INT PRIMARY KEY)');
  await connection.query('INSERT INTO n VALUES ?', [Array.from({ length: 1000 }, (_, index) => [index])]);
  for (const [count, into, columns] of rowsOf({ products, users })) {
    await connection.query(`TRUNCATE TABLE ${into.split(/\s/)[0]}`);
    await connection.query(
      `INSERT INTO ${into} SELECT ${columns}
       FROM (SELECT a.n * 1000 + b.n AS n FROM n a JOIN n b WHERE a.n < ${Math.ceil(count / 1000)}) AS i WHERE i.n < ${count}`,
    );
  }
  await insertTerms(connection);
  await connection.query("UPDATE users SET role = 'admin' WHERE id = 1");
  await connection.query('DROP TABLE n');
  await connection.query(
    'ANALYZE TABLE users, stores, products, product_terms, addresses, transactions, product_logs, files',
  );
  await connection.query('SET unique_checks = 1, foreign_key_checks = 1');
  console.log(`seeded ${products} products in ${Math.round((performance.now() - start) / 1000)} s`);
}

/** What partTerms makes of the names, and wordTerms of the descriptions (packages/core/src/text), for these simple texts. */
async function insertTerms(connection) {
  const length = 'CHAR_LENGTH(name_folded)';
  const words = WORDS.map((word) => `'${word}'`).join(', ');
  // In the order of the products, and without a UNION, whose rows the server would store in between.
  await connection.query(
    `INSERT INTO product_terms (product_id, field, term)
     SELECT STRAIGHT_JOIN id, IF(n < ${length}, 'name', 'description'),
            IF(n < ${length}, RTRIM(SUBSTRING(name_folded, n + 1, 10)), ELT(n - ${length} + 1, ${words}))
     FROM products JOIN n ON n < ${length} + ${WORDS.length}
     WHERE n >= ${length} OR SUBSTRING(name_folded, n + 1, 1) <> ' '`,
  );
}
