-- A shard comes; gives the number of the ring with it. ARGV: seen, name, weight,
-- incarnation, berth, address, lease in ms. Another process under its name keeps
-- its place as long as it lives; a former life of it may hold slots yet. The
-- weight that an operator gave the name is its own, even if it was lost.
local seen, name, weight, incarnation, berth, address, length = unpack(ARGV)
local former = member(name)
if former then
    if former.address ~= address and lives(former.incarnation) then
        return { 'taken', former.address }
    end
    retire(name)
end
weight = redis.call('HGET', ring, 'weight:' .. name) or weight
local epoch = moved(seen)
put(name, {
    weight = tonumber(weight), since = epoch, incarnation = incarnation,
    berth = berth, address = address,
})
-- It hears of this ring before it counts on more than this lease.
renew(incarnation, '0', epoch, length)
return { 'done', epoch }
