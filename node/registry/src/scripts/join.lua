-- A shard comes; gives the number of the ring with it. ARGV: seen, name, weight,
-- incarnation, address, lease in ms. Another process under its name keeps its
-- place as long as it lives; a former life of it may hold slots yet.
local seen, name, weight, incarnation, address, length = unpack(ARGV)
local former = member(name)
if former then
    if former.address ~= address and lives(former.incarnation) then
        return { 'taken', former.address }
    end
    retire(name)
end
put(name, tonumber(weight), incarnation, address)
local epoch = moved(seen)
-- It hears of this ring before it counts on more than this lease.
renew(incarnation, '0', epoch, length)
return { 'done', epoch }
