// Carries one file of a folder set from where it lies to where it belongs: look, take, judge, make sure that it is
// still what was judged, place. Writes one line of log a file. Any number of threads, each with a file of its own.
#pragma once

#include <string>

#include "gateway/folder/claims.h"
#include "gateway/folder/mover.h"
#include "gateway/scan_desk.h"

namespace redoubt::gateway::folder {

class Courier {
 public:
  Courier(const FolderSet& set, Mover& mover, const Journal& journal, ScanDesk& desk, Claims& claims,
          const StopFlag& stop);

  // A file of the input folder. It returns when the file has its place, is left, or the gateway stops.
  void carry(const std::string& relative);
  // What a run before had under way.
  void resume(Record record, Mover::Need need);

 private:
  struct Route {
    Action action = Action::quarantine;
    std::string verdict;
  };

  // Where a file goes unscanned; nothing: it is to be judged.
  std::optional<Route> route_unscanned(const std::string& relative, const FileState& state);
  void not_taken(const std::string& relative, const FileState& state, const Error& error);
  void judge_and_place(Record record);
  Judgement judge(int fd, const FileState& state, const std::string& name);
  Route route_of(const Judgement& judgement) const;
  // False: it has to be judged again.
  bool finish(Record& record, const Route& route);
  bool place(Record& record, const Route& route);
  void leave(const Record& record, const Route& route);
  void put_back(const Record& record);
  void log_done(const Record& record, const Route& route, const std::string& where) const;

  const FolderSet& set_;
  Mover& mover_;
  const Journal& journal_;
  ScanDesk& desk_;
  Claims& claims_;
  const StopFlag& stop_;
};

}  // namespace redoubt::gateway::folder
