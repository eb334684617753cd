rule Script_Reverse_Shell {
  meta:
    description = "script that hands a shell to another machine"
    importance = "high"
  strings:
    $bash_tcp = /(ba|z|k)?sh\s+-i\s*[>&]{1,3}\s*\/dev\/(tcp|udp)\/[0-9a-zA-Z.-]{3,100}\/[0-9]{1,5}/
    $exec_tcp = /exec\s+[0-9]{1,3}<>\s*\/dev\/(tcp|udp)\/[0-9a-zA-Z.-]{3,100}\/[0-9]{1,5}/
    $netcat = /\b(nc|ncat|netcat)(\.traditional|\.openbsd)?\s[^\n]{0,80}-(e|c)\s*\/bin\/(ba|da)?sh/
    $netcat_fifo = /mkfifo\s+[^\n]{1,80}\/bin\/(ba|da)?sh\s+-i[^\n]{1,40}\|\s*(nc|ncat|netcat)\s/
    $python = /socket\.socket\([^\n]{0,200}os\.dup2\([^\n]{0,300}(\/bin\/(ba|da)?sh|pty\.spawn)/
    $perl = /perl\s[^\n]{0,40}Socket[^\n]{1,200}open\(STDIN,\s*">&/
  condition:
    filesize < 2MB and any of them
}

rule Script_Download_And_Run {
  meta:
    description = "script that fetches a program into a world-writable directory, makes it executable and runs it"
    importance = "high"
  strings:
    $shebang = /^#!\s*\/(usr\/)?(local\/)?bin\/(env\s+)?(ba|da|z|k)?sh/
    $fetch = /\b(curl|wget|tftp|ftpget)\s[^\n]{0,300}\/(tmp|var\/tmp|dev\/shm|var\/run)\//
    $enter = /\bcd\s+\/(tmp|var\/tmp|dev\/shm|var\/run)\b/
    $fetch_any = /\b(curl|wget|tftp|ftpget)\s+[^\n]{0,200}(https?|t?ftp):\/\//
    $executable = /\bchmod\s+(\+x|a\+x|u\+x|0?7[0-7]{2})\b/
  condition:
    filesize < 1MB and $executable and ($fetch or ($enter and $fetch_any)) and
    ($shebang at 0 or #executable >= 2 or $enter)
}

rule PHP_Web_Shell {
  meta:
    description = "PHP that runs what it decodes or what the request brings"
    importance = "high"
  strings:
    $php = /<\?(php|=)/ nocase
    $decoded = /\b(eval|assert)\s*\(\s*(@\s*)?(gzinflate|gzuncompress|str_rot13|base64_decode)\s*\(/ nocase
    $request = /\b(eval|assert|system|passthru|shell_exec|exec|popen|proc_open)\s*\(\s*(@\s*)?(base64_decode\s*\(\s*)?\$_(GET|POST|REQUEST|COOKIE)\b/ nocase
    $replace = /preg_replace\s*\(\s*["']\/\.\*\/e["']\s*,/ nocase
  condition:
    filesize < 4MB and $php and any of ($decoded, $request, $replace)
}
