-- A member has heard nothing of these for too long. ARGV: seen, the member's name
-- and incarnation, then name, incarnation and what was last heard of each. Of
-- whom more was heard since, who is there under another incarnation, and who has
-- a place while nobody lives who could take the slots, stays.
local seen, by = ARGV[1], member(ARGV[2])
if not by or by.incarnation ~= ARGV[3] then return { 'none' } end
local changes = false
for at = 4, #ARGV, 3 do
    local name, incarnation, sign = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    local own = member(name)
    local is_same = heard(incarnation) == sign
    if is_same and own and own.incarnation == incarnation then
        if others(name, true) then
            redis.call('HDEL', ring, 'shard:' .. name)
            over(incarnation)
            changes = true
        end
    elseif is_same and redis.call('HEXISTS', ring, 'gone:' .. incarnation) == 1 then
        over(incarnation)
    end
end
if changes then moved(seen) end
return { 'done' }
