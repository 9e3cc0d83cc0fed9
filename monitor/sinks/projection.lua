-- Applies one version of one alert, and moves the applied offset of its topic partition, in one call.
--
-- KEYS: 1 alert hash, 2 active zset, 3 the wearer's set, 4 alerts stream, 5 offsets hash
-- ARGV: 1 partition, 2 offset before this record ("" = nothing applied yet), 3 offset after it,
--       4 notify channel, 5 keep_ms, 6 grace_ms, 7 the record's stamp in epoch ms, then, unless the record is no alert:
--       8 id, 9 version, 10 doc, 11 condition, 12 workflow, 13 priority, 14 wearer_id, 15 score in the zset
-- Returns: "applied", "old" (a version that is there or newer is), "skipped" (the record is no alert, or was applied),
--          "behind" (records before this one are missing here: read again from the stored offset)
--
-- Redis does not undo what a script wrote before it failed. So the version is written behind all that could fail, and
-- the offset last: whatever fails, the same call again does the whole of it.

local stored = redis.call('HGET', KEYS[5], ARGV[1])
if stored and tonumber(stored) >= tonumber(ARGV[3]) then
    return 'skipped'
end
if (stored or '') ~= ARGV[2] and (not stored or ARGV[2] == '' or tonumber(stored) < tonumber(ARGV[2])) then
    return 'behind'
end
if not ARGV[8] then
    redis.call('HSET', KEYS[5], ARGV[1], ARGV[3])
    return 'skipped'
end

local known = redis.call('HGET', KEYS[1], 'version')
if known and tonumber(known) >= tonumber(ARGV[9]) then
    redis.call('HSET', KEYS[5], ARGV[1], ARGV[3])
    return 'old'
end

local closed = ARGV[12] == 'closed'
if closed then
    redis.call('ZREM', KEYS[2], ARGV[8])
    redis.call('SREM', KEYS[3], ARGV[8])
else
    redis.call('ZADD', KEYS[2], ARGV[15], ARGV[8])
    redis.call('SADD', KEYS[3], ARGV[8])
end
local now = redis.call('TIME')[1] * 1000
local gone = tonumber(ARGV[7]) + tonumber(ARGV[5])
if gone > now then
    local oldest = string.format('%.0f', math.max(0, now - tonumber(ARGV[5])))
    redis.call('XADD', KEYS[4], 'MINID', '~', oldest, '*', 'id', ARGV[8], 'version', ARGV[9], 'condition', ARGV[11],
        'workflow', ARGV[12], 'priority', ARGV[13])
end
redis.call('HSET', KEYS[1], 'doc', ARGV[10], 'version', ARGV[9], 'condition', ARGV[11], 'workflow', ARGV[12],
    'priority', ARGV[13], 'wearer_id', ARGV[14])
if closed then
    -- The grace keeps what is long closed until the records behind it were seen: an old version of it may come again.
    redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', math.max(gone, now + tonumber(ARGV[6]))))
else
    redis.call('PERSIST', KEYS[1])
end
redis.call('HSET', KEYS[5], ARGV[1], ARGV[3])
redis.call('PUBLISH', ARGV[4], '{"id":"' .. ARGV[8] .. '","version":' .. ARGV[9] .. '}')
return 'applied'
