// A server that speaks Cosmos DB's protocol, on loopback, with a certificate of the tests.
// Its own command closes every connection after one answer; this one keeps them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

// It stumbles (500) over an item that is not there, where Cosmos DB says 404.
const reading = require("@vercel/cosmosdb-server/lib/handler/read-document.js");
const read = reading.default;
reading.default = (account, request, response, named) => {
  try {
    return read(account, request, response, named);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    response.statusCode = 404;
    return { code: "NotFound", message: "" };
  }
};

const [folder] = process.argv.slice(2);
const server = require("@vercel/cosmosdb-server").createHttpsServer({
  keepAlive: true,
  cert: readFileSync(`${folder}/cert.pem`),
  key: readFileSync(`${folder}/key.pem`),
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume(); // when the tests are gone, so is it
