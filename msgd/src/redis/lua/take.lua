-- Takes all receipts out. Keys: the slot, the receipts. Arguments: the token.
local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] ~= ARGV[1] or not held[2] then
    return 0
end
local all = redis.call('HGETALL', KEYS[2])
redis.call('DEL', KEYS[2])
return all
