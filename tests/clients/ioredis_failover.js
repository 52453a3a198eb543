// ioredis' cluster client, with its own retry settings, through the failure of a primary.
//
// Usage: node ioredis_failover.js PORT, with ioredis to be found by require. Counts on keys of all shards, says "ready"
// when it has begun, and on a line at its standard input counts on for a second and says what was counted. A count that
// the client gives up on ends it with 1.

const { Cluster } = require("ioredis");

const keys = Array.from({ length: 64 }, (_, i) => `count:${i}`);

async function main(port) {
  const cluster = new Cluster([{ host: "127.0.0.1", port }]);
  // Without a listener an error of the background refresh would end the process.
  cluster.on("error", () => {});
  let end = null;
  process.stdin.once("data", () => (end = Date.now() + 1000));
  let counted = 0;
  let said = false;
  while (end === null || Date.now() < end) {
    for (const key of keys) {
      await cluster.incr(key);
      counted += 1;
    }
    if (!said) {
      console.log("ready");
      said = true;
    }
  }
  let held = 0;
  for (const key of keys) held += Number(await cluster.get(key));
  console.log(`${counted} ${held}`);
  cluster.disconnect();
  process.stdin.destroy();
}

main(Number(process.argv[2])).catch((error) => {
  console.error(error);
  process.exit(1);
});
