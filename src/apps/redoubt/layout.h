// Where the programs of Redoubt are and where `redoubt up` keeps its data: a source tree that was built in, or the
// prefix that was installed to. Any thread.
#pragma once

#include <string>

namespace redoubt::cli {

struct Layout {
  std::string programs;      // directory of redoubtd, redoubt-agent, redoubt-scan
  std::string default_home;  // data of `redoubt up` where nothing else is said
};

Layout find_layout();
// The same for a program at `executable`; tests bring trees of their own.
Layout layout_of(const std::string& executable);

// --home, else $REDOUBT_HOME, else the default; absolute.
std::string home_directory(const std::string& said);

}  // namespace redoubt::cli
