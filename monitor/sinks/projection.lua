-- Applies one version of one alert, and moves the applied offset of its topic partition, in one call.
--
-- KEYS: 1 alert hash, 2 active zset, 3 the wearer's set, 4 alerts stream, 5 offsets hash
-- ARGV: 1 partition, 2 offset before this record ("" = nothing applied yet), 3 offset after it,
--       4 notify channel, 5 keep_ms, then, unless the record is no alert:
--       6 id, 7 version, 8 doc, 9 condition, 10 workflow, 11 priority, 12 wearer_id, 13 score in the zset
-- Returns: "applied", "old" (a version that is there or newer is), "skipped" (the record is no alert, or was applied),
--          "behind" (records before this one are missing here: read again from the stored offset)

local stored = redis.call('HGET', KEYS[5], ARGV[1])
if stored and tonumber(stored) >= tonumber(ARGV[3]) then
    return 'skipped'
end
if (stored or '') ~= ARGV[2] and (not stored or ARGV[2] == '' or tonumber(stored) < tonumber(ARGV[2])) then
    return 'behind'
end
redis.call('HSET', KEYS[5], ARGV[1], ARGV[3])
if not ARGV[6] then
    return 'skipped'
end

local known = redis.call('HGET', KEYS[1], 'version')
if known and tonumber(known) >= tonumber(ARGV[7]) then
    return 'old'
end
redis.call('HSET', KEYS[1], 'doc', ARGV[8], 'version', ARGV[7], 'condition', ARGV[9], 'workflow', ARGV[10],
    'priority', ARGV[11], 'wearer_id', ARGV[12])
if ARGV[10] == 'closed' then
    redis.call('ZREM', KEYS[2], ARGV[6])
    redis.call('SREM', KEYS[3], ARGV[6])
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
else
    redis.call('ZADD', KEYS[2], ARGV[13], ARGV[6])
    redis.call('SADD', KEYS[3], ARGV[6])
    redis.call('PERSIST', KEYS[1])
end

local now = redis.call('TIME')
local oldest = string.format('%.0f', math.max(0, now[1] * 1000 - tonumber(ARGV[5])))
redis.call('XADD', KEYS[4], 'MINID', '~', oldest, '*', 'id', ARGV[6], 'version', ARGV[7], 'condition', ARGV[9],
    'workflow', ARGV[10], 'priority', ARGV[11])
redis.call('PUBLISH', ARGV[4], '{"id":"' .. ARGV[6] .. '","version":' .. ARGV[7] .. '}')
return 'applied'
