// ioredis' cluster client: messages to channels, patterns and shard channels of a cluster.
//
// Usage: node ioredis_pubsub.js PORT, with ioredis to be found by require. Says "ok" if all that was published arrived.

const { Cluster } = require("ioredis");

function arrival(emitter, event, count) {
  return new Promise((resolve, reject) => {
    const got = [];
    const timer = setTimeout(() => reject(new Error(`only ${JSON.stringify(got)} came as ${event}`)), 10000);
    // What is published to shard channels comes with a third argument, which is empty.
    emitter.on(event, (...args) => {
      got.push(args.join(" "));
      if (got.length === count) {
        clearTimeout(timer);
        resolve(got.sort());
      }
    });
  });
}

function check(what, got, wanted) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`${what}: ${got}, wanted ${wanted}`);
}

async function main(port) {
  const nodes = [{ host: "127.0.0.1", port }];
  const publisher = new Cluster(nodes);
  const subscriber = new Cluster(nodes, { shardedSubscribers: true });
  const news = arrival(subscriber, "message", 6);
  const sport = arrival(subscriber, "pmessage", 1);
  await subscriber.subscribe("news");
  await subscriber.psubscribe("sport.*");
  await publisher.ping();
  const primaries = publisher.nodes("master");
  for (const node of primaries) {
    await node.publish("news", "one");
    await node.publish("news", "two");
  }
  await publisher.publish("sport.chess", "e4");
  check("primaries", primaries.length, 3);
  check("news", await news, [...Array(3).fill("news one"), ...Array(3).fill("news two")]);
  check("sport", await sport, ["sport.* sport.chess e4"]);

  const channels = Array.from({ length: 12 }, (_, i) => `shard:${i}`);
  const shards = arrival(subscriber, "smessage", channels.length);
  for (const channel of channels) await subscriber.ssubscribe(channel);
  for (const channel of channels) check(channel, await publisher.spublish(channel, "m"), 1);
  check("shard channels", await shards, channels.map((channel) => `${channel} m `).sort());
  await subscriber.sunsubscribe(channels[0]);
  check("nobody", await publisher.spublish(channels[0], "m"), 0);
  console.log("ok");
  publisher.disconnect();
  subscriber.disconnect();
}

main(Number(process.argv[2])).catch((error) => {
  console.error(error);
  process.exit(1);
});
