-- What there is: the epoch; of each shard the name, its record and how long its
-- lease goes on in ms, below 0 if it has none; the gateways.
local fields = redis.call('HGETALL', ring)
local epoch, shards = '0', {}
for at = 1, #fields, 2 do
    local name = string.match(fields[at], '^shard:(.+)$')
    if name then
        local record = fields[at + 1]
        local incarnation = string.match(record, '^%d+ (%d+) ') or ''
        table.insert(shards, { name, record, redis.call('PTTL', lease(incarnation)) })
    elseif fields[at] == 'epoch' then
        epoch = fields[at + 1]
    end
end
return { epoch, shards, redis.call('ZRANGEBYSCORE', gateways, now(), '+inf') }
