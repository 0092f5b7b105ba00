using System.Text;

namespace Aiproxy.Protocols.Kiro;

/// <summary>Finds <c>&lt;/thinking&gt;</c>, character by character, outside of code fences. A line break right in front of it belongs to it.</summary>
public sealed class ThinkingEnd
{
    private static readonly string[] s_ends = ["</thinking>", "\n</thinking>", "\r\n</thinking>"];

    private readonly StringBuilder _pending = new();

    private enum Line { Indent, Run, Blank, Other }

    // The line so far: leading spaces, then a run of one fence character, then nothing but white space; or something else.
    private Line _line;
    private int _indent;
    private int _run;
    private char _runLetter;

    // The open fence; its length is 0 outside of one.
    private char _fence;
    private int _fenceLength;
    private bool _isOpeningLine;

    /// <summary>What may be the beginning of the tag.</summary>
    public string Pending => _pending.ToString();

    private bool IsInFence => _fenceLength > 0;

    /// <summary>Appends to <paramref name="text"/> what is known not to be the tag; true: the tag is complete.</summary>
    public bool Take(char letter, StringBuilder text)
    {
        FollowFence(letter);
        if (IsInFence)
        {
            text.Append(_pending).Append(letter);
            _pending.Clear();
            return false;
        }
        if (_pending.Length == 0 && letter is not ('<' or '\r' or '\n'))
        {
            text.Append(letter);
            return false;
        }
        string with = _pending.ToString() + letter;
        if (!IsBeginning(with))
        {
            text.Append(_pending);
            with = letter.ToString();
        }
        _pending.Clear();
        if (!IsBeginning(with)) text.Append(letter);
        else if (s_ends.Contains(with)) return true;
        else _pending.Append(with);
        return false;
    }

    private static bool IsBeginning(string text) => Array.Exists(s_ends, end => end.StartsWith(text, StringComparison.Ordinal));

    /// <summary>CommonMark: a fence is a line that begins, after three spaces at most, with three or more backticks or tildes; a line of at least as many of them, and
    /// nothing else, closes it. Behind opening backticks no other backtick may stand.</summary>
    private void FollowFence(char letter)
    {
        // A tag may stand right behind a closing fence, too.
        if (letter is '\r' or '\n' or '<' && IsClosing()) _fenceLength = 0;
        if (letter == '\r') return;
        if (letter == '\n')
        {
            (_line, _indent, _run, _isOpeningLine) = (Line.Indent, 0, 0, false);
        }
        else if (_line == Line.Indent && letter == ' ' && _indent < 3)
        {
            _indent++;
        }
        else if (letter is '`' or '~' && (_line == Line.Indent || (_line == Line.Run && letter == _runLetter)))
        {
            (_line, _runLetter) = (Line.Run, letter);
            if (++_run >= 3 && (!IsInFence || _isOpeningLine)) (_fence, _fenceLength, _isOpeningLine) = (letter, _run, true);
        }
        else
        {
            if (_isOpeningLine && _fence == '`' && letter == '`') (_fenceLength, _isOpeningLine) = (0, false);
            _line = letter is ' ' or '\t' && _line is Line.Run or Line.Blank ? Line.Blank : Line.Other;
        }
    }

    /// <summary>The line is nothing but a run that ends the fence.</summary>
    private bool IsClosing() => IsInFence && !_isOpeningLine && _line is Line.Run or Line.Blank && _run >= _fenceLength && _runLetter == _fence;
}
