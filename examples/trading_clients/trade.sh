#!/bin/sh
# A day with the trading API, with curl.
#
#   examples/trading_clients/trade.sh [http://127.0.0.1:8000]
set -eu
base=${1:-http://127.0.0.1:8000}

post() {
  curl --silent --show-error -H 'Content-Type: application/json' -d "$2" "$base$1"
  echo
}

curl --silent --show-error "$base/account"
echo
placed=$(post /order/limit \
  '{"symbol": "AAPL", "action": "BUY", "quantity": 1, "limit_price": 225}')
echo "$placed"
curl --silent --show-error "$base/orders"
echo
post /order/cancel "{\"perm_id\": $(echo "$placed" | sed 's/.*"permId":\([0-9]*\).*/\1/')}"
post /order/limit \
  '{"symbol": "NO SUCH THING", "action": "BUY", "quantity": 1, "limit_price": 225}'
