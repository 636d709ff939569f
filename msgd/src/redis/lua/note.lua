-- Keeps a receipt, unless there are too many. Keys: the slot, the receipts.
-- Arguments: the token, kind and peer, up to when, how many at most.
local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] ~= ARGV[1] or not held[2] then
    return 0
end
local known = redis.call('HGET', KEYS[2], ARGV[2])
if known and tonumber(known) >= tonumber(ARGV[3]) then
    return 1
end
if not known and redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[4]) then
    return 2
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return 1
