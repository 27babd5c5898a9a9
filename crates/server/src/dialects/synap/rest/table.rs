//! Which command each route is. Of two templates that fit a path the first one counts, so fixed words stand before
//! parameters.

use super::{
    call::{Body, Reply, named, own},
    kv, server,
};
use crate::{
    dialects::synap::routes::Endpoint,
    http::route::{Route, Verb},
};

/// A table of templates, each with its methods and their calls.
macro_rules! routes {
    ($($template:literal => $($verb:ident($call:expr)),+;)*) => {
        &[$(Route {
            template: $template,
            rest: false,
            operations: &[$((Verb::$verb, Endpoint::Rest($call))),+],
        }),*]
    };
}

/// Ranks of a part of a list or a sorted set.
const PART: &[&str] = &["start", "stop"];
/// Bounds of scores.
const SCORES: &[&str] = &["min", "max"];
const COUNT: &[&str] = &["count"];

/// Every route that is a command.
pub(in crate::dialects::synap) static ROUTES: &[Route<Endpoint>] = routes! {
    "/kv/set" => Post(own(&kv::SET).body(Body::Object));
    "/kv/msetnx" =>
        Post(named("kv.msetnx").body(Body::OrPairs("pairs")).forms(&["pairs"]).reply(Reply::Only(&["success"])));
    "/kv/stats" => Get(named("kv.stats"));
    "/kv/get/{key}" => Get(own(&kv::GET).texts(&["type"]));
    "/kv/del/{key}" => Delete(named("kv.del").reply(Reply::WithKey));
    "/kv/{key}/append" => Post(named("kv.append").body(Body::Object));
    "/kv/{key}/setrange" => Post(named("kv.setrange").body(Body::Object));
    "/kv/{key}/getset" => Post(named("kv.getset").body(Body::Object));
    "/kv/{key}/getrange" => Get(named("kv.getrange").numbers(&["start", "end"]));
    "/kv/{key}/strlen" => Get(named("kv.strlen"));

    "/key/randomkey" => Get(named("key.randomkey"));
    "/key/{key}/type" => Get(named("key.type"));
    "/key/{key}/exists" => Get(named("key.exists"));
    "/key/{source}/rename" => Post(named("key.rename").body(Body::Object));
    "/key/{source}/renamenx" => Post(named("key.renamenx").body(Body::Object));
    "/key/{source}/copy" => Post(named("key.copy").body(Body::Object));
    "/memory/{key}/usage" => Get(named("memory.usage"));

    "/hash/stats" => Get(named("hash.stats"));
    "/hash/{key}/set" => Post(named("hash.set").body(Body::Object));
    "/hash/{key}/setnx" => Post(named("hash.setnx").body(Body::Object));
    "/hash/{key}/mset" =>
        Post(named("hash.mset")
            .body(Body::OrArray("fields"))
            .forms(&["fields"])
            .reply(Reply::Only(&["success", "key"])));
    "/hash/{key}/mget" => Post(named("hash.mget").body(Body::Object).reply(Reply::Bare("values")));
    "/hash/{key}/incrby" => Post(named("hash.incrby").body(Body::Object));
    "/hash/{key}/incrbyfloat" => Post(named("hash.incrbyfloat").body(Body::Object));
    "/hash/{key}/del" => Delete(named("hash.del").body(Body::Object));
    "/hash/{key}/getall" => Get(named("hash.getall").reply(Reply::Bare("fields")));
    "/hash/{key}/keys" => Get(named("hash.keys").reply(Reply::Bare("keys")));
    "/hash/{key}/vals" => Get(named("hash.vals").reply(Reply::Bare("values")));
    "/hash/{key}/len" => Get(named("hash.len"));
    "/hash/{key}/{field}" => Get(named("hash.get").reply(Reply::IfFound));
    "/hash/{key}/{field}/exists" => Get(named("hash.exists"));

    "/list/stats" => Get(named("list.stats"));
    "/list/{key}/lpush" => Post(named("list.lpush").body(Body::Object));
    "/list/{key}/rpush" => Post(named("list.rpush").body(Body::Object));
    "/list/{key}/lpushx" => Post(named("list.lpushx").body(Body::Object));
    "/list/{key}/rpushx" => Post(named("list.rpushx").body(Body::Object));
    "/list/{key}/lpop" => Post(named("list.lpop").body(Body::Optional).reply(Reply::Only(&["values", "key"])));
    "/list/{key}/rpop" => Post(named("list.rpop").body(Body::Optional).reply(Reply::Only(&["values", "key"])));
    "/list/{key}/range" => Get(named("list.range").numbers(PART));
    "/list/{key}/len" => Get(named("list.len").reply(Reply::UnlessZero("length")));
    "/list/{key}/index/{index}" => Get(named("list.index").numbers(&["index"]));
    "/list/{key}/set" => Post(named("list.set").body(Body::Object));
    "/list/{key}/trim" => Post(named("list.trim").body(Body::Optional).numbers(PART));
    "/list/{key}/rem" => Post(named("list.rem").body(Body::Object));
    "/list/{key}/insert" => Post(named("list.insert").body(Body::Object));
    "/list/{key}/pos" => Post(named("list.pos").body(Body::Object));
    "/list/{source}/rpoplpush/{destination}" => Post(named("list.rpoplpush").body(Body::Optional));

    "/set/stats" => Get(named("set.stats"));
    "/set/inter" => Post(named("set.inter").body(Body::Object));
    "/set/union" => Post(named("set.union").body(Body::Object));
    "/set/diff" => Post(named("set.diff").body(Body::Object));
    "/set/interstore" => Post(named("set.interstore").body(Body::Object));
    "/set/unionstore" => Post(named("set.unionstore").body(Body::Object));
    "/set/diffstore" => Post(named("set.diffstore").body(Body::Object));
    "/set/{key}/add" => Post(named("set.add").body(Body::Object));
    "/set/{key}/rem" => Post(named("set.rem").body(Body::Object));
    "/set/{key}/ismember" => Post(named("set.ismember").body(Body::Object));
    "/set/{key}/members" => Get(named("set.members"));
    "/set/{key}/card" => Get(named("set.card"));
    "/set/{key}/pop" => Post(named("set.pop").body(Body::Optional).numbers(COUNT));
    "/set/{key}/randmember" => Get(named("set.randmember").numbers(COUNT));
    "/set/{source}/move/{destination}" => Post(named("set.move").body(Body::Object));
    "/set/{destination}/interstore" => Post(named("set.interstore").body(Body::Object));
    "/set/{destination}/unionstore" => Post(named("set.unionstore").body(Body::Object));
    "/set/{destination}/diffstore" => Post(named("set.diffstore").body(Body::Object));

    "/sortedset/stats" => Get(named("sortedset.stats"));
    "/sortedset/zinterstore" => Post(named("sortedset.zinterstore").body(Body::Object));
    "/sortedset/zunionstore" => Post(named("sortedset.zunionstore").body(Body::Object));
    "/sortedset/zdiffstore" => Post(named("sortedset.zdiffstore").body(Body::Object));
    "/sortedset/{key}/zadd" =>
        Post(named("sortedset.zadd")
            .body(Body::Object)
            .forms(&["members", "scores"])
            .reply(Reply::Only(&["added", "key"])));
    "/sortedset/{key}/zrem" => Post(named("sortedset.zrem").body(Body::Object));
    "/sortedset/{key}/zmscore" => Post(named("sortedset.zmscore").body(Body::Object));
    "/sortedset/{key}/zincrby" =>
        Post(named("sortedset.zincrby").body(Body::Object).renamed(["increment", "score"], "increment"));
    "/sortedset/{key}/zcard" => Get(named("sortedset.zcard"));
    "/sortedset/{key}/zcount" => Get(named("sortedset.zcount").numbers(SCORES));
    "/sortedset/{key}/zrange" => Get(named("sortedset.zrange").numbers(PART));
    "/sortedset/{key}/zrevrange" => Get(named("sortedset.zrevrange").numbers(PART));
    "/sortedset/{key}/zrangebyscore" => Get(named("sortedset.zrangebyscore").numbers(SCORES));
    "/sortedset/{key}/zpopmin" => Post(named("sortedset.zpopmin").body(Body::Optional).numbers(COUNT));
    "/sortedset/{key}/zpopmax" => Post(named("sortedset.zpopmax").body(Body::Optional).numbers(COUNT));
    "/sortedset/{key}/zremrangebyrank" => Post(named("sortedset.zremrangebyrank").body(Body::Optional).numbers(PART));
    "/sortedset/{key}/zremrangebyscore" =>
        Post(named("sortedset.zremrangebyscore").body(Body::Optional).numbers(SCORES));
    "/sortedset/{key}/{member}/zscore" => Get(named("sortedset.zscore"));
    "/sortedset/{key}/{member}/zrank" => Get(named("sortedset.zrank"));
    "/sortedset/{key}/{member}/zrevrank" => Get(named("sortedset.zrevrank"));

    "/queue/list" => Get(named("queue.list"));
    "/queue/{queue}" =>
        Post(named("queue.create").body(Body::Optional).reply(Reply::Only(&["success", "queue"])).may_create()),
        Delete(named("queue.delete"));
    "/queue/{queue}/publish" => Post(named("queue.publish").body(Body::Object));
    "/queue/{queue}/consume/{consumer_id}" =>
        Get(named("queue.consume").numbers(&["timeout", "ack_deadline"]).reply(Reply::Message));
    "/queue/{queue}/ack" => Post(named("queue.ack").body(Body::Object));
    "/queue/{queue}/nack" => Post(named("queue.nack").body(Body::Object));
    "/queue/{queue}/purge" => Post(named("queue.purge").body(Body::Optional));
    "/queue/{queue}/stats" => Get(named("queue.stats"));

    "/stream/list" => Get(named("stream.list"));
    "/stream/{room}" =>
        Post(named("stream.create").body(Body::Optional).creates()),
        Put(named("stream.get_or_create").body(Body::Optional).may_create()),
        Delete(named("stream.delete"));
    "/stream/{room}/publish" => Post(named("stream.publish").body(Body::Object));
    "/stream/{room}/consume/{subscriber_id}" => Get(named("stream.consume").numbers(&["from_offset", "limit"]));
    "/stream/{room}/stats" => Get(named("stream.stats"));

    "/pubsub/subscribe" => Post(named("pubsub.subscribe").body(Body::Object));
    "/pubsub/unsubscribe" => Post(named("pubsub.unsubscribe").body(Body::Object));
    "/pubsub/stats" => Get(named("pubsub.stats"));
    "/pubsub/topics" => Get(named("pubsub.topics").texts(&["pattern"]));
    "/pubsub/{topic}/publish" =>
        Post(named("pubsub.publish")
            .body(Body::Object)
            .renamed(["payload", "data"], "message")
            .forms(&[])
            .reply(Reply::Only(&["subscribers_notified"])));
    "/pubsub/{topic}/info" => Get(named("pubsub.info"));

    "/snapshot" => Post(own(&server::SNAPSHOT).body(Body::Optional));
};
