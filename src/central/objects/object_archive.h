// An object as people may carry it: in a ZIP with a password, so that neither a careless click nor a scanner on the way
// meets it. The content is packed as it is, nobody looks into it; libarchive stays in the .cc. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace redoubt::central {

struct PackedObject {
  base::UniqueFd file;  // has no name
  uint64_t bytes = 0;
};

struct PackOptions {
  std::string directory;  // where the file is made
  std::string entry;      // name in the ZIP
  std::string password;
};

// The field's convention for malware.
constexpr std::string_view kArchivePassword = "infected";

// ZIP's old encryption, which every tool opens: the password is known to all, so it is no secret that is kept.
Result<PackedObject> pack_object(const base::UniqueFd& content, const PackOptions& options);

}  // namespace redoubt::central
