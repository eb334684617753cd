// Events an interval of time, from the indexes of segments where they know it. Any thread.
#pragma once

#include <map>

#include "query/hunt.h"
#include "store/events/embedded/view.h"

namespace redoubt::store::embedded {

// Adds the events of those segments of the view of which the index tells exactly how many of the hunt's are in each
// bucket of `width_us`, and takes them out of the view.
void count_by_index(View& view, const query::Hunt& hunt, int64_t width_us, std::map<int64_t, int64_t>& buckets);

}  // namespace redoubt::store::embedded
