-- Keeps when a user was last there. Keys: the slot, the users. Arguments: the
-- token, the user, when.
local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] ~= ARGV[1] or not held[2] then
    return 0
end
local row = redis.call('HGET', KEYS[2], ARGV[2]) or ''
redis.call('HSET', KEYS[2], ARGV[2], string.match(row, '^%d*') .. ARGV[3])
return 1
