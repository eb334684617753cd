// Events in the order of time: segments are walked from one end of time as long as one may hold rows of the answer;
// what is shown of the rows found is fetched when they are told or at the end. One hunt, one thread.
#pragma once

#include "store/events/embedded/run.h"

namespace redoubt::store::embedded {

// The hunt sorts by time and has no aggregate; the view is pruned for it.
Result<HuntResult> walk(Run& run, const query::Hunt& hunt, const View& view, const RowsFound& found);

}  // namespace redoubt::store::embedded
