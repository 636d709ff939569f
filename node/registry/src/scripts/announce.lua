-- A gateway is there for so long. ARGV: its public address, lease in ms.
redis.call('ZREMRANGEBYSCORE', gateways, '-inf', now())
redis.call('ZADD', gateways, now() + tonumber(ARGV[2]), ARGV[1])
return { 'done' }
