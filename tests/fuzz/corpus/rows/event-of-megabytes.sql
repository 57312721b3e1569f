UPDATE events SET what = hex(zeroblob(900000))
