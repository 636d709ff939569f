-- Forgets a group. Keys: the slot, the group, its members, its log. Arguments:
-- the token.
local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] ~= ARGV[1] or not held[2] then
    return 0
end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
return 1
