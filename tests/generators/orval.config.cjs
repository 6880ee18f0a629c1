module.exports = {
  shop: {
    input: '../../nginx/html/openapi.json',
    // orval writes the address of the server into the client.
    output: { target: 'generated/orval/shop.ts', client: 'fetch', mode: 'single', baseUrl: process.env.SHOP_URL },
  },
};
