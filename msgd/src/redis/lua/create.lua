-- Appends the first message of a mailbox that has no stream. Keys: the slot,
-- the stream, the users with a stream. Arguments: the token, the user, the
-- entry's id, the row.
local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] ~= ARGV[1] or not held[2] then
    return 0
end
redis.call('XADD', KEYS[2], ARGV[3], 'm', ARGV[4])
redis.call('SADD', KEYS[3], ARGV[2])
return 1
