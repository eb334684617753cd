// Is everything as it was written? Reads each file and compares checksums; what is damaged is named, and the rest is
// read on.
#include "store/events/embedded/embedded_store.h"
#include "store/events/embedded/segment_writer.h"
#include "store/file_checksum.h"

namespace redoubt::store::embedded {

namespace {

Status verify_bytes(const Segment& segment, const Limit& limit, VerifyReport& report) {
  TRY(const FileChecksum sum, checksum_of_file(segment.path, [&] { return limit.status("verify"); }));
  report.bytes += sum.bytes;
  if (sum.bytes != segment.info.bytes) {
    return fail(Errc::corrupt, "it has " + std::to_string(sum.bytes) + " bytes, the manifest says " +
                                   std::to_string(segment.info.bytes));
  }
  if (segment.info.checksum != 0 && segment.info.checksum != sum.checksum) {
    return fail(Errc::corrupt, "its checksum is not the one of what was written");
  }
  return {};
}

// A segment from before there were checksums is unpacked as a whole; of others the rows are counted.
Status verify_rows(DuckSession& session, const Segment& segment) {
  const std::string what = segment.info.checksum == 0 ? "count(hash(segment))" : "count(*)";
  TRY(const Rows counted, session.select({.text = "SELECT " + what + " FROM read_parquet(" + sql_quoted(segment.path) +
                                                  ", hive_partitioning=false) AS segment",
                                          .parameters = {}}));
  const auto rows = static_cast<uint64_t>(std::get<int64_t>(counted.rows.at(0).at(0)));
  if (rows == segment.info.rows) return {};
  return fail(Errc::corrupt,
              "it has " + std::to_string(rows) + " events, the manifest says " + std::to_string(segment.info.rows));
}

Status verify_index(const Segment& segment, VerifyReport& report) {
  TRY_STATUS(SegmentIndex::open(index_path(segment.path)).map([](const auto&) {}));
  report.bytes += segment.info.index_bytes;
  return {};
}

Status verify_segment(DuckSession& session, const Segment& segment, const Limit& limit, VerifyReport& report) {
  Status sound = verify_bytes(segment, limit, report);
  TRY_STATUS(limit.status("verify"));
  if (sound) sound = verify_rows(session, segment);
  if (sound) report.events += segment.info.rows;
  if (!sound) report.damage.push_back({.what = "segment " + segment.path, .why = sound.error().message});
  ++report.segments;
  if (segment.info.index_bytes == 0) return {};
  ++report.indexes;
  if (const Status index = verify_index(segment, report); !index) {
    report.damage.push_back({.what = "index " + index_path(segment.path),
                             .why = index.error().message + " (hunts read its segment as a whole)"});
  }
  return {};
}

Status readable(const SpoolRecord& record, VerifyReport& report) {
  const auto* spooled = std::get_if<SpooledFrame>(&record);
  if (spooled == nullptr) return {};
  auto batch = event::open_frame(spooled->frame.payload, spooled->frame.checksum).and_then(event::Batch::decode);
  if (!batch) return fail(Errc::corrupt, "a frame of host " + spooled->host_id + ": " + batch.error().message);
  report.events += batch->size();
  return {};
}

}  // namespace

// No file goes or gets a name meanwhile; of the file that grows, what was there at the beginning.
Status EmbeddedStore::verify_spool(const Limit& limit, VerifyReport& report) {
  const std::lock_guard seal_lock(seal_mutex_);
  std::map<uint64_t, uint64_t> sizes;
  {
    const std::lock_guard lock(ingest_mutex_);
    for (const auto& [number, frames] : spool_files_) sizes[number] = spool_->bytes_in(number);
  }
  for (const auto& [number, bytes] : sizes) {
    TRY_STATUS(limit.status("verify"));
    const auto damaged = [&](const std::string& why) {
      report.damage.push_back({.what = "spool " + spool_->path_of(number), .why = why});
    };
    const auto scan = spool_->scan(number, bytes, [&](const SpoolRecord& record) -> Status {
      if (const Status sound = readable(record, report); !sound) damaged(sound.error().message);
      return {};
    });
    ++report.spool_files;
    report.bytes += bytes;
    if (!scan) {
      damaged(scan.error().message);
    } else if (scan->bytes_damaged > 0 || scan->valid_end != bytes) {
      damaged(std::to_string(scan->bytes_damaged) + " bytes are not readable, " +
              std::to_string(bytes - scan->valid_end) + " at the end are torn");
    }
  }
  return {};
}

Result<VerifyReport> EmbeddedStore::verify(const HuntLimits& limits) {
  const Limit limit(limits);
  VerifyReport report;
  if (const Status manifest = manifest_->verify(); !manifest) {
    report.damage.push_back({.what = options_.directory + "/manifest.db", .why = manifest.error().message});
  }
  TRY(const auto session, duck_->connect());
  for (const auto& segment : current_segments()) TRY_STATUS(verify_segment(*session, *segment, limit, report));
  TRY_STATUS(verify_spool(limit, report));
  return report;
}

}  // namespace redoubt::store::embedded
