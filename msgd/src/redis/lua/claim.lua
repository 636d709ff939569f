-- Takes a slot, unless it is held by another who is not said to be dead.
-- Keys: the slot, what is left for the next holder, the users with a stream,
-- the users. Arguments: who asks, the holder that is dead or '', what keys of
-- streams begin with, seconds for which what was left is kept, the last token
-- that the asker was told or ''.
local former = redis.call('HGET', KEYS[1], 'holder')
if former and former ~= ARGV[1] and former ~= ARGV[2] then
    return {0, former}
end
-- By the clock, so that a token is not given again where a fail-over has lost
-- the last one.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local newest = redis.call('HGET', KEYS[1], 'token') or '0'
local token = string.format('%.0f', math.max(now, tonumber(newest) + 1))
-- From here on no stream takes what a former holder appends.
for _, user in ipairs(redis.call('SMEMBERS', KEYS[3])) do
    local key = ARGV[3] .. user
    local last, length
    if redis.call('EXISTS', key) == 1 then
        local info = redis.call('XINFO', 'STREAM', key)
        for i = 1, #info, 2 do
            if info[i] == 'last-generated-id' then
                last = string.match(info[i + 1], '-(%d+)$')
            elseif info[i] == 'length' then
                length = info[i + 1]
            end
        end
    end
    if last and length > 0 then
        redis.call('XSETID', key, token .. '-' .. last)
    else
        -- The former holder had no time to clear it away.
        if last then
            local row = redis.call('HGET', KEYS[4], user) or ''
            redis.call('HSET', KEYS[4], user, last .. string.match(row, '^%d*(.*)$'))
            redis.call('DEL', key)
        end
        redis.call('SREM', KEYS[3], user)
    end
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
