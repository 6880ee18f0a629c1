import path from 'node:path';
import { productService } from '@shop/product';
import { anAddress, aProduct, aStore, aUser, startApp } from '@shop/testing';
import { transactionService } from '@shop/transaction';
import { Connection } from 'mysql2';

/** A stack trace from any statement of a request names every function of ours, from the endpoint down. */

const root = path.join(__dirname, '..');

interface Frame {
  name: string;
  file: string;
}

/** Our own frames, outermost first, for each statement that `work` runs. */
async function statementStacks(work: () => Promise<unknown>): Promise<Frame[][]> {
  const stacks: Frame[][] = [];
  const execute = jest.spyOn(Connection.prototype, 'execute').mockImplementation(function record(
    this: Connection,
    ...values: unknown[]
  ) {
    stacks.push(framesOfOurs());
    return Object.getPrototypeOf(Connection.prototype).execute.apply(this, values);
  });
  try {
    await work();
  } finally {
    execute.mockRestore();
  }
  return stacks;
}

/** Uses the engine's names: the test runner's source maps would give the name of the called function instead. */
function framesOfOurs(): Frame[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = 200;
  Error.prepareStackTrace = (_, callSites) => callSites;
  const callSites = new Error().stack as unknown as NodeJS.CallSite[];
  Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  return callSites
    .map((site) => ({ name: site.getFunctionName() ?? '', file: path.relative(root, site.getFileName() ?? '') }))
    .filter(({ file }) => /^(services|packages)\/.*\.ts$/.test(file))
    .reverse();
}

const isNameless = ({ name }: Frame): boolean => name === '';
const names = (frames: Frame[]): string[] => frames.map(({ name }) => name);
/** Runs the statements of a checkout: the functions of its SQL files. */
const isInSqlFile = ({ file }: Frame): boolean => file.endsWith('.sql.ts');

test('of a checkout', async () => {
  const app = await startApp(transactionService);
  const [buyer, product] = await Promise.all([aUser(), aProduct({ stock: 5 })]);
  const address = await anAddress(buyer);
  const all = await statementStacks(() =>
    app.http
      .post('/api/v1/transactions')
      .set(buyer.auth)
      .set('Idempotency-Key', 'named')
      .send({ address_id: address.id, items: [{ product_id: product.id, quantity: 1 }] })
      .expect(201),
  );
  await app.close();

  expect(all.flat().filter(isNameless)).toEqual([]);
  // A request may also read the revoked access tokens, before the endpoint.
  const stacks = all.filter((frames) => !names(frames).includes('isRevoked'));
  for (const frames of stacks)
    expect(names(frames)).toEqual(expect.arrayContaining(['handler', 'placeOrder', 'transaction']));
  const statements = stacks.map((frames) => names(frames.filter(isInSqlFile)).at(-1));
  expect(statements).toEqual(['claimKey', 'lockProducts', 'insertOrder', 'insertOrderLines', 'takeStock', 'settleKey']);
});

test('of a list', async () => {
  const app = await startApp(productService);
  const seller = await aUser();
  await aProduct({ store: await aStore({ owner: seller }) });
  const stacks = await statementStacks(() =>
    app.http.get('/api/v1/products').query({ search: 'named' }).set(seller.auth).expect(200),
  );
  await app.close();

  expect(stacks.flat().filter(isNameless)).toEqual([]);
  // The cache queries the database too, before the list does.
  const lists = stacks.map(names).filter((frames) => frames.includes('selectList'));
  expect(lists.length).toBeGreaterThan(0);
  for (const frames of lists) expect(frames).toEqual(expect.arrayContaining(['handler', 'listProducts', 'selectList']));
});
