// What documents of every kind have: title, id, level, tags, log source names. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/rule_set.h"
#include "rules/sigma/document.h"

namespace redoubt::rules::sigma {

// Of the key itself; of the document where it has none of that name.
Place key_place(const Node& document, std::string_view key);

// The value under the key, or null and a problem.
const Node* required(const Node& document, std::string_view key, Problems& problems);
std::string required_text(const Node& document, std::string_view key, Problems& problems);

// The document's UUID in lower case. Where it has none, one that follows from path and title: the same at every load.
std::string read_id(const Node& document, const std::string& path, Problems& problems);
Place id_place(const Node& document);

// A rule that has all but its expression.
Rule read_metadata(const Node& document, const std::string& path, Problems& problems);

// "" where the document says nothing.
struct LogSourceNames {
  std::string category;
  std::string product;
  std::string service;
};

LogSourceNames read_log_source_names(const Node& document);

// True if everything that `wider` says is said by `narrower` too.
bool covers(const LogSourceNames& wider, const LogSourceNames& narrower);

}  // namespace redoubt::rules::sigma
