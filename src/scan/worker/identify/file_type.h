// What kind of file the bytes are, by libmagic (owned by the .cc). Opened before the jail shuts, because its database
// is a file; one thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::scan {

class FileTypes {
 public:
  virtual ~FileTypes() = default;
  // "text/plain"; empty where libmagic fails. Looks at the first 64 KiB alone, of a text at 512
  // bytes, at 2 KiB where there may be markup or JSON: it is dear.
  virtual std::string mime_type(std::string_view content) = 0;
};

Result<std::unique_ptr<FileTypes>> open_file_types();

}  // namespace redoubt::scan
