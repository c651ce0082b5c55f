"""What every hop of every request passes, one idea a class: robots.txt, redirects, cookies, conditions, statuses."""
