// Moves the files of one folder set so that each has exactly one visible place, whenever the process is killed:
//   take      input/PATH → work/ID, by rename: from then on nobody else finds it by a name
//   place     work/ID → target/PATH, by rename; onto another file system by a copy under a temporary name, a rename,
//   and
//             the removal of work/ID
//   put_back  work/ID → input/PATH
// What is about to happen stands in the journal first. The one question that recovery has to answer is whether the last
// rename happened: work/ID (or, while publishing, the temporary name) is still there or it is not, and nobody but the
// gateway removes either. Any thread, one record by one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "gateway/folder/journal.h"
#include "gateway/folder/settings.h"

namespace redoubt::gateway::folder {

// Tests end the process here; the name of the step that was just made.
using StepHook = std::function<void(std::string_view step)>;

class Mover {
 public:
  Mover(const FolderSet& set, const Journal& journal, StepHook hook);

  // Makes the work folder and locks it. already_exists: another gateway has it.
  Status prepare();

  // not_found: it is gone; unsupported: it is no regular file; unavailable: somebody writes to it; invalid_argument: it
  // is on another file system than the work folder.
  Result<Record> take(const std::string& relative);
  // What was taken, for reading.
  Result<base::UniqueFd> open_taken(const Record& record) const;

  // To `record.destination` below `record.target`; gives the name that it got. corrupt: the file is no longer what was
  // judged; unsupported: it cannot lie there (one of its folders is a file). Otherwise it can be tried again.
  Result<std::string> place(Record& record);

  enum class IfTaken : uint8_t { fail, another_name };
  // Gives the path below the input folder. already_exists: there is a newer file of that name.
  Result<std::string> put_back(const Record& record, IfTaken if_taken);

  // What a record of a run before still needs.
  enum class Need : uint8_t { nothing, judge, place };
  Result<Need> recover(const Record& record);
  // Files in the work folder that the journal does not know of (it was lost): they go to the quarantine.
  Result<std::vector<std::string>> rescue_orphans(const std::vector<Record>& known);

 private:
  struct Target;

  Result<base::UniqueFd> open_work(const std::string& path) const;
  Result<Target> open_target(const Record& record) const;
  std::optional<std::string> finish_link(const Record& record, const FileState& now, int work, const Target& target);
  Result<std::string> move(const Record& record, int work, const Target& target);
  Result<std::string> publish_copy(Record& record, int work, const Target& target);
  Status copy(const Record& record, int work, const Target& target);
  Status drop_source(const Record& record, int work);
  void step(std::string_view name) const;

  const FolderSet& set_;
  const Journal& journal_;
  const StepHook hook_;
  base::UniqueFd lock_;
};

// "report.pdf", 2: "report (2).pdf"; cut to what a file system takes.
std::string numbered_name(const std::string& name, int number);

}  // namespace redoubt::gateway::folder
