// A file that a command makes: it has its name when it is whole and on the disk, or never. One thread.
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace redoubt::cli {

class OutputFile {
 public:
  // already_exists where there is something of that name: nothing is written over.
  static Result<OutputFile> begin(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  Status write(std::string_view bytes);
  Status commit();

 private:
  explicit OutputFile(std::string path);
  std::string path_;
  std::string unfinished_;  // empty: it is done
  base::UniqueFd fd_;
};

}  // namespace redoubt::cli
