-- Writes a pending change again, if it is still that one: who made it may not
-- have heard that replicas have it, and with what is written now they have it.
-- Keys: the first user. Arguments: the intent.
if redis.call('HGET', KEYS[1], 'pending') ~= ARGV[1] then
    return 0
end
redis.call('HSET', KEYS[1], 'pending', ARGV[1])
return 1
