// Documents of one file that share parts: `action: global` is written into every rule behind it, `repeat` takes the
// rule before it with changes, `reset` ends the sharing. Any thread.
#pragma once

#include <vector>

#include "rules/sigma/document.h"

namespace redoubt::rules::sigma {

// The documents with what they share written in, and without those that only share.
std::vector<Node> merge_collection(std::vector<Node> documents, Problems& problems);

}  // namespace redoubt::rules::sigma
