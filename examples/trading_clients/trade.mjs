// A day with the trading API, in JavaScript without any package (Node 18 or newer).
//
//   node examples/trading_clients/trade.mjs [http://127.0.0.1:8000]

const base = process.argv[2] ?? 'http://127.0.0.1:8000';

async function call(path, body) {
  const options = body && {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
  const answer = await fetch(base + path, options);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

const { balance, cash } = await call('/account');
console.log(`equity ${balance.toFixed(2)}, to spend ${cash.toFixed(2)}`);

const order = { symbol: 'AAPL', action: 'BUY', quantity: 1, limit_price: 225 };
const placed = await call('/order/limit', { ...order, order_ref: `example-${Date.now()}` });
console.log(placed.status);

const { orders } = await call('/orders');
const pending = orders.some(({ permId }) => permId === placed.permId);
console.log(pending ? 'it is pending' : 'it is not pending any more');

console.log((await call('/order/cancel', { perm_id: placed.permId })).status);

await call('/order/limit', { ...order, symbol: 'NO SUCH THING' }).catch(({ message }) =>
  console.log(message),
);
