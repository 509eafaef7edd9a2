// Loaded before `server.mjs` where the server is to be attacked. It then keeps what an operator of
// Cosmos DB may have: a feed of all versions and deletes, each as it stands in the container.
// The server by itself makes ETags at random and knows no LSN; here both count the writes, and the
// ETag holds the time, as Cosmos DB's do. The time is what `clock` says, in seconds since 1970.
import { openSync, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const items = require("@vercel/cosmosdb-server/lib/account/documents.js").default.prototype;
const { create, replace, delete: remove, _set: set } = Object.getPrototypeOf(items);

const folder = process.argv[2];
const feed = openSync(`${folder}/feed.jsonl`, "a");
let written = 0;
let isReplacing = false;

const hex = (number) => number.toString(16).padStart(8, "0");

function note(verb, item) {
  writeSync(feed, `${JSON.stringify({ verb, item })}\n`);
  return item;
}

items._set = function (item) {
  written += 1;
  const now = Number(readFileSync(`${folder}/clock`, "utf8"));
  item._ts = now;
  item._lsn = written;
  item._etag = `"${hex(written)}-0000-0d00-0000-${hex(now)}0000"`;
  return set.call(this, item);
};

items.create = function (item) {
  return note("create", create.call(this, item));
};

items.replace = function (item, before) {
  isReplacing = true; // it takes the old version out and puts the new one in
  try {
    return note("replace", replace.call(this, item, before));
  } finally {
    isReplacing = false;
  }
};

items.delete = function (id, partition) {
  if (!isReplacing) note("delete", this._item("/id", id, partition).read());
  return remove.call(this, id, partition);
};
