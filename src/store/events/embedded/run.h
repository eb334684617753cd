// One hunt while it runs: its session, its limits, and what it could not read. One thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "store/events/embedded/line_tests.h"
#include "store/events/embedded/row_finder.h"
#include "store/events/embedded/view.h"

namespace redoubt::store::embedded {

// Interrupts a session when its time is up or its caller has gone, again and again until it is destroyed, so that a
// statement begun in that moment ends as well.
class Watch {
 public:
  Watch(DuckSession& session, const HuntLimits& limits);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Why the work has to end; empty while it need not.
  std::string why();

 private:
  void look();
  void watch(DuckSession& session);

  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::string why_;
  const HuntLimits& limits_;
  const std::chrono::steady_clock::time_point deadline_;
  std::thread thread_;
};

class Run {
 public:
  using StatementOf =
      std::function<query::sql::Statement(const std::string& source, const query::sql::Answered& answered)>;

  // Hunt and limits must outlive it; the condition of the statements is that of the hunt.
  Run(Duck& duck, std::unique_ptr<DuckSession> session, const query::Hunt& hunt, const HuntLimits& limits);

  // What the statement gives over the view; damaged segments are taken out of it. A further field of the hunt is read
  // if it is in `more`.
  Result<Rows> select(View& view, Reading::Places places, const StatementOf& statement_of,
                      const event::FieldSet& more = {});
  // The rows that the condition is true of, but for the bounds of time, where that can be said without
  // SQL: copies of the fields. Nothing where it cannot, or where a segment is damaged.
  Result<std::optional<FoundRows>> find(const View& view, const event::FieldSet& fields,
                                        const RowFinder::Further& further);
  // What the statement gives over nothing, whatever the limits say.
  Result<Rows> select_nothing(const StatementOf& statement_of);
  // Rows of one segment by their places, the first first: the fields, then the place.
  Result<Rows> fetch(const std::shared_ptr<const Segment>& segment, const std::vector<event::Field>& fields,
                     const std::vector<uint64_t>& rows);

  // A limit ended it: what was found so far is the answer.
  bool stopped_by(const Error& error);
  void finish(HuntResult& result) const;

 private:
  Result<Rows> try_select(const View& view, Reading::Places places, const StatementOf& statement_of,
                          const event::FieldSet& more);
  Result<View> narrowed(const View& view, const event::FieldSet& fields);
  Result<Rows> fetch_by_sql(const std::shared_ptr<const Segment>& segment, const std::vector<event::Field>& fields,
                            const std::vector<uint64_t>& rows);
  Status go_on();
  bool ends_run(const Error& error) { return error.code == Errc::exhausted || !watch_.why().empty(); }
  void report(const Segment& segment, const Error& error);

  Duck& duck_;
  const query::Hunt& hunt_;
  std::unique_ptr<DuckSession> session_;
  Watch watch_;
  PageMemory memory_;
  LineTests lines_;
  RowFinder finder_;
  bool too_many_ = false;  // for the finder
  std::vector<std::string> why_partial_;
};

}  // namespace redoubt::store::embedded
