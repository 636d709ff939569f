-- Heads of the newest rows, newest first. Keys: the stream. Arguments: the
-- oldest stamp that is wanted, how many at most, by how much stamps may be out
-- of order, bytes of a row's head.
local since, most, disorder = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local found, to = {}, '+'
while true do
    local page = redis.call('XREVRANGE', KEYS[1], to, '-', 'COUNT', 64)
    for _, entry in ipairs(page) do
        local stamp = struct.unpack('<I8', entry[2][2], 9)
        if stamp >= since then
            found[#found + 1] = {entry[1], string.sub(entry[2][2], 1, ARGV[4])}
        elseif stamp + disorder < since then
            return found
        end
        if #found == most then
            return found
        end
        to = '(' .. entry[1]
    end
    if #page < 64 then
        return found
    end
end
