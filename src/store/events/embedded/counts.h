// Counts without SQL: events an interval of time, from the indexes of segments where they know it; values among rows
// that were found. Any thread.
#pragma once

#include <map>

#include "query/hunt.h"
#include "store/events/embedded/row_finder.h"
#include "store/events/embedded/view.h"

namespace redoubt::store::embedded {

// Adds the events of those segments of the view of which the index tells exactly how many of the hunt's are in each
// bucket of `width_us`, and takes them out of the view.
void count_by_index(View& view, const query::Hunt& hunt, int64_t width_us, std::map<int64_t, int64_t>& buckets);

// How often each value of the field is among the rows that are within the bounds of time. The rows have the field and
// their time.
std::map<std::string, int64_t> count_values(const ShownRows& rows, const query::Hunt& hunt, event::Field field);

}  // namespace redoubt::store::embedded
