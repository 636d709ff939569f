-- Removes the stream of a mailbox that is empty; its end is kept. Keys: the
-- slot, the stream, the users with a stream, the users. Arguments: the token,
-- the user.
local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] ~= ARGV[1] or not held[2] then
    return 0
end
if redis.call('EXISTS', KEYS[2]) == 0 then
    return 1
end
if redis.call('XLEN', KEYS[2]) > 0 then
    return 2
end
local info = redis.call('XINFO', 'STREAM', KEYS[2])
for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
        local row = redis.call('HGET', KEYS[4], ARGV[2]) or ''
        local last = string.match(info[i + 1], '-(%d+)$')
        redis.call('HSET', KEYS[4], ARGV[2], last .. string.match(row, '^%d*(.*)$'))
    end
end
redis.call('DEL', KEYS[2])
redis.call('SREM', KEYS[3], ARGV[2])
return 1
