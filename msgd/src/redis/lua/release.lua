-- Gives a slot up, or does so again. Keys: the slot, what is left for the next
-- holder. Arguments: the token, what is left or '', seconds for which it is
-- kept.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
    return 0
end
redis.call('HDEL', KEYS[1], 'holder')
if ARGV[2] == '' then
    redis.call('DEL', KEYS[2])
else
    redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
end
return 1
