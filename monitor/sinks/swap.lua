-- Puts some of what was built aside in the place of what readers see, of one team, in one call.
--
-- KEYS: 1 offsets, 2 stream, then pairs of a key and its twin aside: the alerts' hashes, the wearers' sets, and keys to
--       be moved
-- ARGV: 1 notify channel, 2 how many pairs are alerts, 3 how many are wearers, 4 "stream" if what changes is to be
--       added to the stream, then triples of a partition, the offset up to which it was built, and the offset in Redis
--       that is known to lie beyond the topic's end and says nothing, or ""
-- Returns: {"behind"} and changes nothing if a projector has come further than what was built, else
--          {"swapped", alerts that are there now and were not, that changed, that are gone}
--
-- What a projector has applied is in what was built, so whatever stands in a key, its twin is as new or newer. Alerts
-- and wearers are copied, because what is built aside may still grow.

local built, beyond = {}, {}
for i = 5, #ARGV, 3 do
    built[ARGV[i]], beyond[ARGV[i]] = tonumber(ARGV[i + 1]), ARGV[i + 2]
end
local live = redis.pcall('HGETALL', KEYS[1])
if not live.err then
    for i = 1, #live, 2 do
        local partition, offset = live[i], live[i + 1]
        if built[partition] and tonumber(offset) > built[partition] and offset ~= beyond[partition] then
            return {'behind'}
        end
    end
end

local new, changed, gone = 0, 0, 0
local alerts, wearers = tonumber(ARGV[2]), tonumber(ARGV[3])
for pair = 1, #KEYS / 2 - 1 do
    local key, aside = KEYS[1 + 2 * pair], KEYS[2 + 2 * pair]
    local was, is
    if pair <= alerts then
        was = redis.pcall('HMGET', key, 'version', 'doc')
        was = was.err and {false, false} or was
        is = redis.call('HMGET', aside, 'version', 'doc', 'condition', 'workflow', 'priority')
    end
    if redis.call('EXISTS', aside) == 0 then
        redis.call('UNLINK', key)
    elseif pair <= alerts + wearers then
        redis.call('COPY', aside, key, 'REPLACE')
    else
        redis.call('RENAME', aside, key)
    end
    if is and not is[1] then
        gone = gone + (was[1] and 1 or 0)
    elseif is and (was[1] ~= is[1] or was[2] ~= is[2]) then
        new, changed = new + (was[1] and 0 or 1), changed + (was[1] and 1 or 0)
        local id = string.match(key, '([^:]*)$')
        if ARGV[4] == 'stream' then
            redis.call('XADD', KEYS[2], '*', 'id', id, 'version', is[1], 'condition', is[3], 'workflow', is[4],
                'priority', is[5])
        end
        redis.call('PUBLISH', ARGV[1], '{"id":"' .. id .. '","version":' .. is[1] .. '}')
    end
end
return {'swapped', new, changed, gone}
