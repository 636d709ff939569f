-- What there is: the epoch; of each shard the name, its record, what was last
-- heard of it and how long its lease goes on in ms, below 0 if it does not; the
-- incarnation of each that is going, its name and berth and what was last heard
-- of it; the gateways.
local fields = redis.call('HGETALL', ring)
local epoch, shards, gone = '0', {}, {}
for at = 1, #fields, 2 do
    local kind, which = string.match(fields[at], '^(%l+):(.+)$')
    local value = fields[at + 1]
    if kind == 'shard' then
        local sign, left = heard(read(value).incarnation or '')
        table.insert(shards, { which, value, sign, left })
    elseif kind == 'gone' then
        table.insert(gone, { which, value, (heard(which)) })
    elseif fields[at] == 'epoch' then
        epoch = value
    end
end
return { epoch, shards, gone, redis.call('ZRANGEBYSCORE', gateways, now(), '+inf') }
