-- Takes a slot, unless it is held by another who is not said to be dead.
-- Keys: the slot, what is left for the next holder, the users with a stream,
-- the users. Arguments: who asks, the holder that is dead or '', what keys of
-- streams begin with, seconds for which what was left is kept, the last token
-- that the asker was told or ''.
local former = redis.call('HGET', KEYS[1], 'holder')
if former and former ~= ARGV[1] and former ~= ARGV[2] then
    return {0, former}
end
local newest = redis.call('HGET', KEYS[1], 'token') or '0'

-- The newest entry of a stream. What was appended at position 0 was appended
-- under a claim that the server had forgotten, and told to nobody.
local function back(key)
    local entry = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
    while entry and string.match(entry[1], '-0$') do
        redis.call('XDEL', key, entry[1])
        entry = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
    end
    return entry and entry[1]
end

-- Where mail is, and the highest token there; who has none has no stream.
local positions, highest = {}, 0
for _, user in ipairs(redis.call('SMEMBERS', KEYS[3])) do
    local key = ARGV[3] .. user
    local id = back(key)
    if id then
        local part, position = string.match(id, '^(%d+)-(%d+)$')
        positions[key] = position
        highest = math.max(highest, tonumber(part))
    else
        -- The former holder had no time to clear it away.
        if redis.call('EXISTS', key) == 1 then
            local info = redis.call('XINFO', 'STREAM', key)
            for i = 1, #info, 2 do
                local last = info[i] == 'last-generated-id' and string.match(info[i + 1], '-(%d+)$')
                if last and last ~= '0' then
                    local row = redis.call('HGET', KEYS[4], user) or ''
                    redis.call('HSET', KEYS[4], user, last .. string.match(row, '^%d*(.*)$'))
                end
            end
            redis.call('DEL', key)
        end
        redis.call('SREM', KEYS[3], user)
    end
end

-- By the clock, so that a token is not given again where a fail-over has lost
-- the last one; and above what is there, wherever the clock is.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local token = string.format('%.0f', math.max(now, tonumber(newest) + 1, highest + 1))
-- From here on no stream takes what a former holder appends.
for key, position in pairs(positions) do
    redis.call('XSETID', key, token .. '-' .. position)
end
redis.call('HSET', KEYS[1], 'token', token, 'holder', ARGV[1])
local recent = redis.call('GET', KEYS[2])
if recent and former and (former ~= ARGV[1] or newest == ARGV[5]) then
    -- The former holder was told, and has released nothing.
    redis.call('DEL', KEYS[2])
    recent = false
elseif recent then
    -- Who is not told of this claim asks again.
    redis.call('EXPIRE', KEYS[2], ARGV[4])
end
return {1, token, recent or ''}
