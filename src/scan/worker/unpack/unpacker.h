// One interface for every container format: content in, children out through a sink that judges them at once. Called by
// the object's judge (object_judge.cc), which tries the families in turn. One thread, inside the jail.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "scan/worker/passwords.h"
#include "scan/worker/unpack/budget.h"

namespace redoubt::scan {

struct Container {
  std::string_view content;
  std::string_view mime_type;
};

// Whether ClamAV gets a child by itself or sees it when it unpacks the container.
enum class Handover { by_itself, in_container };

struct Child {
  std::string name;  // as the container calls it; text, never a path
  std::string_view content;
  std::string remark;       // why the content is not all there is
  uint64_t size_bytes = 0;  // as the container says, where the content is not all
  Handover handover = Handover::by_itself;
};

class Unpacking {
 public:
  Unpacking(Budget& budget, Passwords& passwords) : budget(budget), passwords(passwords) {}
  virtual ~Unpacking() = default;
  // Judges the child, and what is in it, before it returns: the content need not live longer.
  virtual void add(const Child& child) = 0;
  virtual void add_link(std::string_view link) = 0;

  Budget& budget;
  Passwords& passwords;
};

struct Unpacked {
  // none: no container of this family. part: ClamAV looks into it as well. whole: all of it became children.
  enum class Coverage { none, part, whole } coverage = Coverage::none;
  std::string remark;  // for `part`: what was not read
};

class Unpacker {
 public:
  virtual ~Unpacker() = default;
  virtual Unpacked unpack(const Container& container, Unpacking& to) = 0;
};

// Archives, disk images and compressed files, by libarchive. Opened before the jail shuts.
std::unique_ptr<Unpacker> open_archive_unpacker();
// Mails and mailboxes, by GMime. Opened before the jail shuts, because character sets are files.
std::unique_ptr<Unpacker> open_mail_unpacker();
// Attachments and text of TNEF streams (winmail.dat), by our own reader.
std::unique_ptr<Unpacker> open_tnef_unpacker();
// Files embedded in PDF, its scripts and links, by qpdf.
std::unique_ptr<Unpacker> open_pdf_unpacker();

}  // namespace redoubt::scan
