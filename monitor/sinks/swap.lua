-- Puts what was built aside in the place of what readers see, of one team, in one call.
--
-- KEYS: 1 offsets, 2 offsets aside, 3 stream, 4 stream aside, 5 active, 6 active aside, then pairs of a key and its
--       twin aside: first those of the alerts' hashes, then those of the wearers' sets
-- ARGV: 1 notify channel, 2 how many pairs are alerts, then triples of a partition, the offset up to which it was
--       built, and the offset in Redis that is known to lie beyond the topic's end and says nothing, or ""
-- Returns: {"behind"} and changes nothing if a projector has come further than what was built, else
--          {"swapped", alerts that are there now and were not, that changed, that are gone}

local built, beyond = {}, {}
for i = 3, #ARGV, 3 do
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

local function replace(key, aside)
    if redis.call('EXISTS', aside) == 1 then
        redis.call('RENAME', aside, key)
    else
        redis.call('UNLINK', key)
    end
end

local stream_stays = redis.call('TYPE', KEYS[3]).ok == 'stream'
local new, changed, gone = 0, 0, 0
local alerts = tonumber(ARGV[2])
local told = {}
for pair = 1, alerts do
    local key, aside = KEYS[5 + 2 * pair], KEYS[6 + 2 * pair]
    local was = redis.pcall('HMGET', key, 'version', 'doc')
    local is = redis.call('HMGET', aside, 'version', 'condition', 'workflow', 'priority', 'doc')
    if was.err then
        was = {false, false}
    end
    if not is[1] then
        gone = gone + (was[1] and 1 or 0)
    elseif was[1] ~= is[1] or was[2] ~= is[5] then
        new, changed = new + (was[1] and 0 or 1), changed + (was[1] and 1 or 0)
        told[#told + 1] = {string.match(key, '([^:]*)$'), is[1], is[2], is[3], is[4]}
    end
    replace(key, aside)
end
for i = 7 + 2 * alerts, #KEYS, 2 do
    replace(KEYS[i], KEYS[i + 1])
end
replace(KEYS[5], KEYS[6])
replace(KEYS[1], KEYS[2])
-- The stream is the memory of those who read it in groups: it stays, and what the swap changed is added to it.
if stream_stays then
    redis.call('UNLINK', KEYS[4])
else
    replace(KEYS[3], KEYS[4])
end
for _, one in ipairs(told) do
    if stream_stays then
        redis.call('XADD', KEYS[3], '*', 'id', one[1], 'version', one[2], 'condition', one[3], 'workflow', one[4],
            'priority', one[5])
    end
    redis.call('PUBLISH', ARGV[1], '{"id":"' .. one[1] .. '","version":' .. one[2] .. '}')
end
return {'swapped', new, changed, gone}
