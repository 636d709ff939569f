-- An operator gives a shard another weight; with 0 it is drained: it lives and
-- has no slots. That holds for its name until it leaves or is removed. ARGV:
-- seen, name, weight.
local seen, name, weight = unpack(ARGV)
local own = member(name)
if not own then return { 'unknown' } end
if tonumber(weight) == 0 and own.weight > 0 and not others(name, true) then
    return { 'last' }
end
redis.call('HSET', ring, 'weight:' .. name, weight)
if own.weight == tonumber(weight) then return { 'done' } end
local epoch = moved(seen)
-- As it stands now, should rings have been forgotten.
own = member(name)
if own.weight == 0 then own.since = epoch end
own.weight = tonumber(weight)
put(name, own)
return { 'done' }
