-- A member has heard nothing of these for too long. ARGV: seen, the member's
-- name and incarnation and since when it has slots, then name, incarnation and
-- what was last heard of each. Of whom more was heard since, who is there under
-- another incarnation, and who has a place while nobody lives who could take the
-- slots, stays. Who has no slots, or had none meanwhile, is believed of those
-- alone that were at its own berth.
local seen, by = ARGV[1], member(ARGV[2])
if not by or by.incarnation ~= ARGV[3] then return { 'none' } end
local counts = by.weight > 0 and by.since == ARGV[4]
local changes = false
for at = 5, #ARGV, 3 do
    local name, incarnation, sign = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    local own, gone = member(name), redis.call('HGET', ring, 'gone:' .. incarnation)
    local is_same = heard(incarnation) == sign
    if is_same and own and own.incarnation == incarnation then
        if counts and others(name, true) then
            redis.call('HDEL', ring, 'shard:' .. name)
            over(incarnation)
            changes = true
        end
    elseif is_same and gone then
        if counts or string.match(gone, ' (%d+)$') == by.berth then over(incarnation) end
    end
end
if changes then moved(seen) end
return { 'done' }
