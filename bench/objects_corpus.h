// What objects.pipeline judges: files of Debian packages in the mix of classes that mail and web bring, with zips and
// mails made of them; about 400 files, 300 KB on average, the same on every run of one machine.
#pragma once

#include <string>
#include <vector>

namespace redoubt::bench {

struct CorpusFile {
  std::string path;
  std::string content;
};

// `directory`: where the files that are made are written; it outlives their use by path.
std::vector<CorpusFile> read_corpus(const std::string& directory);

}  // namespace redoubt::bench
