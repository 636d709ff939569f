-- An incarnation is over, and holds nothing. ARGV: incarnation.
over(ARGV[1])
return { 'done' }
